"""What can be wrong around a config, one file a kind of cause; each finding has a name, a cause and a remedy; mends nothing."""
