"""What an inventory would change on live hosts, as people read it before they agree."""
