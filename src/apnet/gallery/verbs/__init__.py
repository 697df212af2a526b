"""What a gallery does, by kind: one class each, which ``Gallery`` joins."""
