/** Hands a file to the browser to be saved. */

export type FileKind = "svg" | "png";

export const SHARPNESS = 2; // pixels of a PNG file per unit of the drawing

export function save(address: string, name: string): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = address;
  link.click();
  if (address.startsWith("blob:")) window.setTimeout(() => URL.revokeObjectURL(address), 1000);
}

export function svgAddress(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
}
