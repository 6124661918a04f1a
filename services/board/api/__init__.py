"""What programs may read, over HTTP and over MCP: the same answers, bounded by the same accounts."""
