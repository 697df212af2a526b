"""One synthetic person: body, pose, clothes, colours."""
