"""What a proof is made of: arithmetic that knows its errors, and a network as sums over tokens."""
