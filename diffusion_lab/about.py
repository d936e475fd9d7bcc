"""Where this project lives on the web. The address stands in pyproject.toml; every link follows from it."""

from importlib.metadata import metadata


def repository() -> str:
    """The repository's address, from the installed package's metadata."""
    for entry in metadata("diffusion-lab").get_all("Project-URL") or []:
        name, _, address = entry.partition(", ")
        if name == "Repository":
            return str(address)
    raise ValueError(
        "the package's metadata names no Repository: add it to [project.urls] in pyproject.toml."
    )


def issues_link() -> str:
    """Where to report what is broken."""
    return f"{repository()}/issues"


def ci_link() -> str:
    """The page of the tests that run on every change; `.../badge.svg` is its picture."""
    return f"{repository()}/actions/workflows/ci.yml"


def colab_link(notebook: str, branch: str = "main") -> str:
    """Opens a notebook, given by its path in the repository ('notebooks/NAME.ipynb'), in Google Colab."""
    return repository().replace("https://github.com/", COLAB) + f"/blob/{branch}/{notebook}"


def badge(notebook: str, branch: str = "main") -> str:
    """The "Open in Colab" button of a notebook, in Markdown."""
    return f"[![Open in Colab]({COLAB_BADGE})]({colab_link(notebook, branch)})"


COLAB = "https://colab.research.google.com/github/"
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
