"""Grafana's dashboards as code, written from the catalogue of figures."""
