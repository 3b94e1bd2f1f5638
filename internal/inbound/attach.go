package inbound

import (
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
)

// withAttachments gives a post the files of a mail.
func withAttachments(p *forum.NewPost, ids []gid.ID) { p.AttachmentFileIDs = ids }
