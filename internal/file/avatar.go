package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	avatarSide = 256 // pixels
	// maxPixels is of a picture that is decoded: that takes about 45 ns a pixel, and so less than 50 ms. Front ends cut a photograph and
	// make it smaller before they send it.
	maxPixels = 1024 * 1024
	// maxPasses is how many pixels all scans of a JPEG go over: one of a few bytes may cost as much as all pixels. Cameras and programs
	// write about ten scans. The marker cannot stand in picture data, where 0xFF is always followed by a zero.
	maxPasses     = 12 * maxPixels
	avatarQuality = 88
	portrayTime   = 30 * time.Second // to read a picture back and store the small one
)

// codec reads one sort of picture.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var codecs = map[string]codec{
	"image/png":  {png.DecodeConfig, png.Decode},
	"image/jpeg": {jpeg.DecodeConfig, jpeg.Decode},
	"image/gif":  {gif.DecodeConfig, gif.Decode}, // its first picture
	"image/webp": {webp.DecodeConfig, webp.Decode},
}

// portray puts a small picture, made anew, in the place of the stored one: what else was in the file, such as where it was taken, is
// gone with it.
func (s *Service) portray(ctx context.Context, id gid.ID, got content) (content, error) {
	s.pictures.Lock()
	defer s.pictures.Unlock()
	ctx, cancel := context.WithTimeout(ctx, portrayTime)
	defer cancel()
	r, err := s.read(ctx, keyOf(id), 0)
	if err != nil {
		return got, err
	}
	data, err := io.ReadAll(io.LimitReader(r, got.size))
	_ = r.Close()
	if err != nil {
		return got, storageAway(err)
	}
	small, mediaType, err := shrink(data, got.media.name)
	if err != nil {
		return got, err
	}
	for _, m := range taken {
		if m.name == mediaType {
			got.media = m
		}
	}
	sum := sha256.Sum256(small)
	got.size, got.hash = int64(len(small)), sum[:]
	out, err := s.create(ctx, keyOf(id), mediaType)
	if err != nil {
		return got, err
	}
	if _, err := out.Write(small); err != nil {
		out.abort()
		return got, err
	}
	return got, out.commit()
}

// shrink makes a square picture of 256 by 256 pixels from the middle of another one: a PNG when it is see-through somewhere, and a JPEG
// otherwise.
func shrink(data []byte, mediaType string) (small []byte, smallType string, err error) {
	refused := func(cause error) ([]byte, string, error) {
		return nil, "", fault.New(fault.ContentRefused, "This picture cannot be read.").Because(cause)
	}
	c := codecs[mediaType]
	config, err := c.config(bytes.NewReader(data))
	if err != nil {
		return refused(err)
	}
	if config.Width < 1 || config.Height < 1 || int64(config.Width)*int64(config.Height) > maxPixels {
		return nil, "", fault.New(fault.ContentRefused, "This picture has %d by %d pixels. Cut it, and make it smaller: at most 1,024 by 1,024.", config.Width, config.Height)
	}
	if scans := bytes.Count(data, []byte("\xff\xda")); mediaType == "image/jpeg" && int64(scans)*int64(config.Width)*int64(config.Height) > maxPasses {
		return refused(fmt.Errorf("it has %d scans", scans))
	}
	whole, err := c.decode(bytes.NewReader(data))
	if err != nil {
		return refused(err)
	}
	b := whole.Bounds()
	side := min(b.Dx(), b.Dy())
	if side < 1 {
		return refused(fmt.Errorf("it is %s", b))
	}
	middle := image.Rect(0, 0, side, side).Add(b.Min).Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	avatar := image.NewRGBA(image.Rect(0, 0, avatarSide, avatarSide))
	draw.CatmullRom.Scale(avatar, avatar.Bounds(), whole, middle, draw.Src, nil)
	if mediaType == "image/jpeg" {
		avatar = upright(avatar, orientation(data))
	}
	var out bytes.Buffer
	if avatar.Opaque() {
		err, smallType = jpeg.Encode(&out, avatar, &jpeg.Options{Quality: avatarQuality}), "image/jpeg"
	} else {
		err, smallType = png.Encode(&out, avatar), "image/png"
	}
	if err != nil {
		return nil, "", fmt.Errorf("encode the avatar: %w", err)
	}
	return out.Bytes(), smallType, nil
}

// upright turns a square picture as EXIF says that its pixels stand, in the numbers of TIFF 6.0: 1 is upright, 6 lies on its left side.
func upright(from *image.RGBA, orientation int) *image.RGBA {
	last := avatarSide - 1
	source := map[int]func(x, y int) (int, int){ // where a pixel of the upright picture comes from
		2: func(x, y int) (int, int) { return last - x, y },
		3: func(x, y int) (int, int) { return last - x, last - y },
		4: func(x, y int) (int, int) { return x, last - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, last - x },
		7: func(x, y int) (int, int) { return last - y, last - x },
		8: func(x, y int) (int, int) { return last - y, x },
	}[orientation]
	if source == nil {
		return from
	}
	to := image.NewRGBA(from.Bounds())
	for y := range avatarSide {
		for x := range avatarSide {
			fromX, fromY := source(x, y)
			to.SetRGBA(x, y, from.RGBAAt(fromX, fromY))
		}
	}
	return to
}
