"""Files that users bring: data sets (.npz) and float weights (.safetensors), kept by their content's hash."""
