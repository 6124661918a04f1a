"""A dashboard's definition and the running centre's answers, drawn as one SVG: for pages, where no Grafana runs."""
