"""The only way the platform sends to a URL that a customer chose."""
