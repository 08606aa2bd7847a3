"""Files of rows <-> Arrow record batches, by the file's ending."""

from complaintnlp.files.read import first_row, read_batches, read_json
from complaintnlp.files.write import write_batches

__all__ = ["first_row", "read_batches", "read_json", "write_batches"]
