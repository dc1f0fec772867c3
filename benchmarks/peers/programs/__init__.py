"""The same tasks with other libraries, each as its documentation recommends. Each module is a program."""
