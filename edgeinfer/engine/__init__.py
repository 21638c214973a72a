"""Engine: pictures to tensors, tensors through a model."""
