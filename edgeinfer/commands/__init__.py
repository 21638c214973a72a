"""What a running daemon can be asked, and the doors through which it is asked."""
