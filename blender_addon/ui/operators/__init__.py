"""What buttons and scripts run: operators start, poll and finish."""
