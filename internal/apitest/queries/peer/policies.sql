-- The same permission rules for PostGraphile, the way its documentation recommends: a role, row-level security, and what a policy needs to know about
-- other tables in functions that run with their owner's rights, so that policies do not nest. "(SELECT …)" has each asked once a statement.
CREATE ROLE commons_reader;
GRANT USAGE ON SCHEMA public TO commons_reader;

CREATE FUNCTION me() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT current_setting('commons.member')::uuid $$;

CREATE FUNCTION is_staff() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT EXISTS (SELECT FROM role_assignments WHERE member_id = me() AND scope = 'PLATFORM' AND role IN ('ADMIN', 'STAFF') AND (ends_at IS NULL OR ends_at > now())) $$;

CREATE FUNCTION is_participant() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT is_staff()
    OR EXISTS (SELECT FROM space_memberships sm JOIN spaces n ON n.id = sm.space_id WHERE sm.member_id = me() AND n.kind = 'NETWORK' AND sm.starts_at <= now() AND (sm.ends_at IS NULL OR sm.ends_at > now()))
    OR EXISTS (SELECT FROM role_assignments WHERE member_id = me() AND scope = 'COHORT' AND role = 'FACILITATOR' AND (ends_at IS NULL OR ends_at > now())) $$;

CREATE FUNCTION visible_spaces() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT array(
    SELECT s.id FROM spaces s WHERE EXISTS (SELECT FROM space_memberships sm WHERE sm.space_id = s.id AND sm.member_id = me() AND sm.starts_at <= now() AND (sm.ends_at IS NULL OR sm.ends_at > now()))
    UNION SELECT s.id FROM spaces s WHERE s.kind NOT IN ('AFFINITY', 'DIRECT') AND is_staff()
    UNION SELECT s.id FROM spaces s JOIN role_assignments r ON r.member_id = me() AND r.role = 'FACILITATOR' AND (r.ends_at IS NULL OR r.ends_at > now())
      AND (r.scope = 'SPACE' AND r.scope_id = s.id OR r.scope = 'COHORT' AND r.scope_id = s.cohort_id) WHERE s.kind NOT IN ('AFFINITY', 'DIRECT')
    UNION SELECT s.id FROM spaces s JOIN teams t ON t.id = s.team_id JOIN role_assignments r ON r.member_id = me() AND r.role = 'LEAD' AND r.scope = 'ORGANIZATION' AND r.scope_id = t.organization_id
      AND (r.ends_at IS NULL OR r.ends_at > now()) WHERE s.kind NOT IN ('AFFINITY', 'DIRECT')) $$;

CREATE FUNCTION visible_members() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT array(
    SELECT me()
    UNION SELECT id FROM members WHERE is_staff()
    UNION SELECT sm.member_id FROM space_memberships sm JOIN spaces n ON n.id = sm.space_id WHERE n.kind = 'NETWORK' AND is_participant()
    UNION SELECT member_id FROM role_assignments WHERE scope = 'PLATFORM' AND role IN ('ADMIN', 'STAFF') AND is_participant()) $$;

CREATE FUNCTION blocked() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT array(SELECT blocked_id FROM blocks WHERE member_id = me()) $$;

DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['spaces', 'threads', 'posts', 'reactions', 'read_states', 'members', 'affiliations', 'organizations', 'teams', 'team_memberships', 'cohorts', 'enrollments', 'offerings', 'programs'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
  END LOOP;
END $$;

CREATE POLICY reader ON spaces FOR SELECT TO commons_reader USING (id = ANY ((SELECT visible_spaces())::uuid[]));
-- What Commons leaves out of these lists by a filter stands in the policies, since PostGraphile offers filters on indexed columns only.
CREATE POLICY reader ON threads FOR SELECT TO commons_reader USING (merged_into_id IS NULL AND space_id = ANY ((SELECT visible_spaces())::uuid[]));
CREATE POLICY reader ON posts FOR SELECT TO commons_reader USING (EXISTS (SELECT FROM threads t WHERE t.id = thread_id) AND author_id <> ALL ((SELECT blocked())::uuid[]));
CREATE POLICY reader ON reactions FOR SELECT TO commons_reader USING (member_id = (SELECT me()));
CREATE POLICY reader ON read_states FOR SELECT TO commons_reader USING (member_id = (SELECT me()));
CREATE POLICY reader ON members FOR SELECT TO commons_reader USING (true);
CREATE POLICY reader ON affiliations FOR SELECT TO commons_reader USING (is_primary AND member_id = ANY ((SELECT visible_members())::uuid[]));
CREATE POLICY reader ON organizations FOR SELECT TO commons_reader USING ((SELECT is_participant()));
CREATE POLICY reader ON teams FOR SELECT TO commons_reader USING ((SELECT is_participant()));
CREATE POLICY reader ON team_memberships FOR SELECT TO commons_reader USING (ends_on IS NULL AND (SELECT is_participant()));
CREATE POLICY reader ON cohorts FOR SELECT TO commons_reader USING (archived_at IS NULL AND (SELECT is_participant()));
CREATE POLICY reader ON enrollments FOR SELECT TO commons_reader USING (state = 'ENROLLED' AND (SELECT is_participant()));
CREATE POLICY reader ON offerings FOR SELECT TO commons_reader USING (true);
CREATE POLICY reader ON programs FOR SELECT TO commons_reader USING (true);

GRANT SELECT (id, name, title, avatar_url, time_zone, status) ON members TO commons_reader;
GRANT SELECT ON spaces, threads, posts, reactions, read_states, affiliations, organizations, teams, team_memberships, cohorts, enrollments, offerings, programs TO commons_reader;

-- A thread's last post is one; PostGraphile finds it by this key. The application keeps no constraint there, since threads and posts refer to each other.
COMMENT ON TABLE threads IS E'@foreignKey (last_post_id) references posts (id)|@fieldName lastPost';

CREATE FUNCTION threads_viewer_unread_count(t threads) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT greatest(0, t.post_seq - r.last_read_seq - r.uncounted) FROM read_states r WHERE r.thread_id = t.id AND r.member_id = me()), t.post_seq - t.deleted_posts)::integer $$;
CREATE FUNCTION threads_viewer_can_reply(t threads) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT NOT t.locked AND t.merged_into_id IS NULL AND s.archived_at IS NULL AND (is_staff() AND s.kind NOT IN ('AFFINITY', 'DIRECT')
    OR EXISTS (SELECT FROM space_memberships sm WHERE sm.member_id = me() AND sm.space_id = s.id AND sm.starts_at <= now() AND (sm.ends_at IS NULL OR sm.ends_at > now())))
  FROM spaces s WHERE s.id = t.space_id $$;

-- A found object, for a union would cost PostGraphile a query a type.
CREATE TYPE finding AS (kind text, id uuid, title text, rank bigint, snippet text, thread_id uuid, seq bigint);
CREATE FUNCTION search_all(word text, most integer) RETURNS SETOF finding LANGUAGE sql STABLE SECURITY DEFINER AS $$
  WITH q AS MATERIALIZED (SELECT to_tsquery('english', quote_literal(word)) || to_tsquery('simple', quote_literal(word) || ':*') AS q),
  mine AS MATERIALIZED (SELECT visible_spaces() AS spaces, visible_members() AS members, is_participant() AS participant, blocked() AS blocked),
  hits AS MATERIALIZED (SELECT document_id, vector FROM search_index, q WHERE vector @@ q.q),
  found AS MATERIALIZED (
    SELECT d.id AS document, d.object_id AS id, d.kind, d.thread_id, CAST(1000000 * ts_rank_cd('{0.1, 0.2, 0.4, 1.0}', hits.vector, q.q, 1) AS bigint) AS rank
    FROM mine, q, hits JOIN search_documents d ON d.id = hits.document_id LEFT JOIN threads t ON t.id = d.thread_id
    WHERE CASE d.kind WHEN 'THREAD' THEN t.space_id = ANY (mine.spaces) WHEN 'POST' THEN t.space_id = ANY (mine.spaces) WHEN 'MEMBER' THEN d.object_id = ANY (mine.members)
      WHEN 'ORGANIZATION' THEN mine.participant WHEN 'RESOURCE' THEN EXISTS (SELECT FROM resources r WHERE r.id = d.object_id AND r.archived_at IS NULL
        AND (r.audience = 'PUBLIC' OR r.audience = 'NETWORK' AND mine.participant OR r.space_id = ANY (mine.spaces))) ELSE false END),
  page AS (SELECT * FROM found ORDER BY rank DESC, id DESC LIMIT most)
  SELECT page.kind, page.id, CASE page.kind WHEN 'POST' THEN t.title ELSE d.title END, page.rank,
    ts_headline('english', concat_ws(E'\n', nullif(d.title, ''), nullif(left(d.body, 100000), '')), q.q, 'MaxWords=32, MinWords=16, ShortWord=0'), page.thread_id, p.seq
  FROM q, page JOIN search_documents d ON d.id = page.document LEFT JOIN threads t ON t.id = page.thread_id LEFT JOIN posts p ON page.kind = 'POST' AND p.id = page.id
  ORDER BY page.rank DESC, page.id DESC $$;

CREATE FUNCTION write_post(thread uuid, body text, body_html text) RETURNS posts LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
DECLARE t threads; made posts; post uuid := gen_random_uuid();
BEGIN
  SELECT * INTO t FROM threads WHERE id = thread AND space_id = ANY (visible_spaces()) FOR NO KEY UPDATE;
  IF NOT FOUND OR NOT threads_viewer_can_reply(t) THEN RAISE EXCEPTION 'NOT_FOUND'; END IF;
  UPDATE threads SET post_seq = post_seq + 1, event_seq = event_seq + 1, last_post_id = post, last_activity_at = now(), updated_at = now() WHERE id = thread;
  INSERT INTO posts (id, created_at, thread_id, author_id, seq, body, body_html) VALUES (post, now(), thread, me(), t.post_seq + 1, body, body_html) RETURNING * INTO made;
  INSERT INTO events (stream_id, seq, kind, object_id, actor_id, created_at) VALUES (thread, t.event_seq + 1, 'POST_CREATED', post, me(), now());
  INSERT INTO search_documents (kind, object_id, thread_id, title, body) VALUES ('POST', post, thread, '', write_post.body);
  INSERT INTO read_states (id, created_at, thread_id, member_id, last_read_seq, uncounted, updated_at) VALUES (gen_random_uuid(), now(), thread, me(), 0, 1, now())
    ON CONFLICT (thread_id, member_id) DO UPDATE SET uncounted = read_states.uncounted + 1, updated_at = now();
  INSERT INTO notification_jobs (id, created_at, post_id, thread_id, next_at) VALUES (gen_random_uuid(), now(), post, thread, now());
  RETURN made;
END $$;
