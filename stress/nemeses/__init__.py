"""What goes on beside the actors to disturb them."""
