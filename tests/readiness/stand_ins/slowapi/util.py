def get_remote_address() -> str:
    raise NotImplementedError
