"""Setting the backend up on this machine: what the machine has, the steps of an installation, and carrying them out."""
