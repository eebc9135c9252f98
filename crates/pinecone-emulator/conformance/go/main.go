// Runs the released Go client, unchanged, against an emulator.
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/pinecone-io/go-pinecone/v5/pinecone"
)

// The version in go.mod.
const version = "5.4.1"

var failures int

func check(name string, seen, want any) {
	if reflect.DeepEqual(seen, want) {
		fmt.Printf("ok      go %s: %s\n", version, name)
		return
	}
	failures++
	fmt.Printf("FAILED  go %s: %s %v instead of %v\n", version, name, seen, want)
}

func until(name string, read func() string, want string) {
	deadline := time.Now().Add(20 * time.Second)
	seen := read()
	for seen != want && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
		seen = read()
	}
	check(name, seen, want)
}

func refused(name string, status int, err error) {
	good := err != nil && strings.Contains(err.Error(), fmt.Sprintf(`"status_code":%d`, status))
	if !good {
		check(name, err, status)
		return
	}
	check(name, status, status)
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Printf("FAILED  go %s: the run ends: %v\n", version, err)
		os.Exit(1)
	}
	return value
}

func client(key string) *pinecone.Client {
	return must(pinecone.NewClient(pinecone.NewClientParams{
		ApiKey: key, Host: os.Getenv("EMULATOR_URL"), SourceTag: "conformance",
	}))
}

func ptr[T any](value T) *T { return &value }

func main() {
	ctx := context.Background()
	pc := client(os.Getenv("EMULATOR_KEY"))
	backup := backUp(ctx, pc)
	restore(ctx, pc, backup)
	_, err := client("wrong").ListIndexes(ctx)
	refused("a wrong key is 401", 401, err)
	configureAndDelete(ctx, pc, backup)
	if failures > 0 {
		os.Exit(1)
	}
}

func backUp(ctx context.Context, pc *pinecone.Client) string {
	index := must(pc.CreateServerlessIndex(ctx, &pinecone.CreateServerlessIndexRequest{
		Name: "go-source", Cloud: pinecone.Aws, Region: "us-east-1", Dimension: ptr(int32(8)),
		Metric: ptr(pinecone.Cosine), Tags: &pinecone.IndexTags{"team": "blue"},
	}))
	check("an index is created", []any{index.Name, *index.Dimension}, []any{"go-source", int32(8)})
	until("an index gets ready", func() string {
		return string(must(pc.DescribeIndex(ctx, "go-source")).Status.State)
	}, "Ready")
	made := must(pc.CreateBackup(ctx, &pinecone.CreateBackupParams{IndexName: "go-source", Name: ptr("go-nightly")}))
	until("a backup gets ready", func() string {
		return must(pc.DescribeBackup(ctx, made.BackupId)).Status
	}, "Ready")
	backup := must(pc.DescribeBackup(ctx, made.BackupId))
	check("a backup is described", []any{*backup.Name, backup.SourceIndexName}, []any{"go-nightly", "go-source"})
	check("a backup has its index's tags", *backup.Tags, pinecone.IndexTags{"team": "blue"})
	ofIndex := must(pc.ListBackups(ctx, &pinecone.ListBackupsParams{IndexName: ptr("go-source")}))
	check("backups of an index are listed", []any{len(ofIndex.Data), ofIndex.Data[0].BackupId}, []any{1, made.BackupId})
	ofProject := must(pc.ListBackups(ctx, &pinecone.ListBackupsParams{Limit: ptr(1)}))
	check("backups come in pages", []any{len(ofProject.Data), ofProject.Pagination != nil}, []any{1, true})
	return made.BackupId
}

func restore(ctx context.Context, pc *pinecone.Client, backup string) {
	params := &pinecone.CreateIndexFromBackupParams{
		BackupId: backup, Name: "go-restored", Tags: &pinecone.IndexTags{"a": "b"},
		DeletionProtection: ptr(pinecone.DeletionProtectionEnabled),
	}
	made := must(pc.CreateIndexFromBackup(ctx, params))
	job := must(pc.DescribeRestoreJob(ctx, made.RestoreJobId))
	check("a restore job is described", []any{job.BackupId, job.TargetIndexName, job.TargetIndexId},
		[]any{backup, "go-restored", made.IndexId})
	until("a restore job completes", func() string {
		return must(pc.DescribeRestoreJob(ctx, made.RestoreJobId)).Status
	}, "Completed")
	job = must(pc.DescribeRestoreJob(ctx, made.RestoreJobId))
	check("a completed job is at 100 percent", []any{*job.PercentComplete, job.CompletedAt != nil}, []any{float32(100), true})
	jobs := must(pc.ListRestoreJobs(ctx, nil))
	check("the newest job is listed first", jobs.Data[0].RestoreJobId, made.RestoreJobId)
	check("the last page has no pagination", jobs.Pagination == nil, true)
	index := must(pc.DescribeIndex(ctx, "go-restored"))
	check("the restored index is as asked", []any{index.Status.Ready, *index.Tags, index.DeletionProtection, *index.Dimension},
		[]any{true, pinecone.IndexTags{"a": "b"}, pinecone.DeletionProtectionEnabled, int32(8)})
	_, err := pc.CreateIndexFromBackup(ctx, params)
	refused("a taken name is 409", 409, err)
	_, err = pc.DescribeBackup(ctx, "none")
	refused("a missing backup is 404", 404, err)
	refused("a protected index is not deleted", 403, pc.DeleteIndex(ctx, "go-restored"))
}

func configureAndDelete(ctx context.Context, pc *pinecone.Client, backup string) {
	must(pc.ConfigureIndex(ctx, "go-restored", pinecone.ConfigureIndexParams{
		DeletionProtection: "disabled", Tags: pinecone.IndexTags{"a": "", "c": "d"},
	}))
	index := must(pc.DescribeIndex(ctx, "go-restored"))
	check("an index is configured", []any{*index.Tags, index.DeletionProtection},
		[]any{pinecone.IndexTags{"c": "d"}, pinecone.DeletionProtectionDisabled})
	for _, name := range []string{"go-source", "go-restored"} {
		must(0, pc.DeleteIndex(ctx, name))
		until(name+" is deleted", func() string {
			if _, err := pc.DescribeIndex(ctx, name); err != nil {
				return "gone"
			}
			return "there"
		}, "gone")
	}
	must(0, pc.DeleteBackup(ctx, backup))
	_, err := pc.DescribeBackup(ctx, backup)
	refused("a deleted backup is 404", 404, err)
}
