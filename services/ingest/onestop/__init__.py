"""What a province's one-stop system exports or pushes: snapshots of dossiers, in the national portal's words."""
