"""The image arithmetic that everything else uses: colour, filters on masked images, membranes, sampling."""
