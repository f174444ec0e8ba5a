"""What every request passes before a page or the API sees it: who may, how large, how strict, with which headers."""
