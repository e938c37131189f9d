"""The tables of measurements on held-out people: `relightify evaluate TABLE`."""
