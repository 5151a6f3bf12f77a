"""From the Hub to a pool: crawl, screen and download adapters; account for every candidate."""
