/** The reference of an image that can mean only one. */
export const IMAGE_BY_DIGEST = /^[a-z0-9][^\s@$,]*@sha256:[0-9a-f]{64}$/;
