"""The one place that builds the parts of a Plan from a config."""
