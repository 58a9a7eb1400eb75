"""Identity namespaces (platform.md section 5.2)."""
