"""glossator against other ways to run the same models over the same topic: ``make bench-peers``.

The driver runs in glossator's environment, as ``python -m benchmarks.peers``. It starts each candidate as a process of
its own and looks only at topics and at the process tree. The programs of the peers (``programs/``) and the plots run in
another environment, ``.venv-peers``, as modules of the package ``peers``: they must not import ``benchmarks``, which
sets up OpenMP and the allocator for glossator.
"""
