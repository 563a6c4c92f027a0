"""One package per area of business; `common` holds what belongs to no area."""
