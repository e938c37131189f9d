"""Whether what a prior draws is as real skins are: scores of completions, and samples from noise against real maps."""
