"""Catalog's datasets (platform.md section 5.3); its batches are the gateway's."""
