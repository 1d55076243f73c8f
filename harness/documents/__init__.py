"""The typed values that pass between stages. Each has a schema in schemas/ and one file here."""
