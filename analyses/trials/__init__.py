"""Chapter: is it really that?"""
