"""The Schema Registry: schemas by their ids, and which id a record names."""
