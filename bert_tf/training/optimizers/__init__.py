"""What an update does to the weights: optimizers, schedule, loss scale."""
