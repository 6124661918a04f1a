"""One machine without containers: find or fetch the servers, run them and the services, stop them all."""
