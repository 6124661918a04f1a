"""What the centre stands on: the configuration of its servers and the means to run them."""
