"""What the record teaches: figures, reports, repeated matters."""
