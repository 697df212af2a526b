"""Networks that the paper is compared with."""
