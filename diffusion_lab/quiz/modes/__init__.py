"""One room per mode of `diffusion-lab quiz`; each has main(mode, argv) -> exit status."""
