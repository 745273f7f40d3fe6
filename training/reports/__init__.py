"""What people read: reports, tables and pictures made of the figures."""
