"""The programme's effect and its robustness: the fourth and sixth chapters' exhibits."""
