package file

import (
	"bytes"
	"encoding/binary"
)

// orientation reads how the pixels of a JPEG stand, from its EXIF data (CIPA DC-008); 1, upright, when it does not say. Nothing else of
// those data is looked at.
func orientation(jpeg []byte) int {
	for at := 2; at+4 <= len(jpeg) && jpeg[at] == 0xff; {
		marker, length := jpeg[at+1], int(binary.BigEndian.Uint16(jpeg[at+2:]))
		if marker == 0xda || length < 2 || at+2+length > len(jpeg) { // the picture itself begins, or something is wrong
			break
		}
		if data, ok := bytes.CutPrefix(jpeg[at+4:at+2+length], []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return orientationIn(data)
		}
		at += 2 + length
	}
	return 1
}

// orientationIn looks through the first directory of a TIFF for the tag.
func orientationIn(tiff []byte) int {
	const tag, short = 0x0112, 3
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[12:]
	}
	return 1
}
