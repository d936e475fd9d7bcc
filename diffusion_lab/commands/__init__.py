"""The subcommands of `diffusion-lab`, one file each, imported only when asked for."""
