"""Many photos: `relightify batch`, on this machine's cores or on a Ray cluster."""
