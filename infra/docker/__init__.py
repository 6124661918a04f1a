"""The centre in containers: its image, its servers' configuration, and the centre as commands inside see it."""
