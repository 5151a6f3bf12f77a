"""From the Hub to a pool: crawl, screen, download, account for every candidate."""
