"""How findings reach a reader: an answer about one network, as text, JSON, page, pictures and model card."""
