"""Repairs: what older builds of MXNet meant by what they wrote, said in today's words for whoever asks."""
