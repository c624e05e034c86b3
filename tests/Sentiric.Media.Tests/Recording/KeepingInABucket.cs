using System.Net;
using System.Security.Cryptography;

namespace Sentiric.Media.Tests;

public sealed class KeepingInABucket : IDisposable
{
    private static readonly S3Credentials Amazon = new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    private readonly string folder = Directory.CreateTempSubdirectory("media-s3").FullName;
    private readonly HttpClient http = new();

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    // The four examples of the Amazon S3 API reference, "Examples: Signature Calculations" (examplebucket, 24 May 2013).
    [Theory]
    [InlineData("GET", "/test.txt", "", "range=bytes=0-9", AwsSignature.EmptyPayload, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")]
    [InlineData("PUT", "/test$file.text", "", "date=Fri, 24 May 2013 00:00:00 GMT|x-amz-storage-class=REDUCED_REDUNDANCY",
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")]
    [InlineData("GET", "/", "lifecycle=", "", AwsSignature.EmptyPayload, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("GET", "/", "max-keys=2|prefix=J", "", AwsSignature.EmptyPayload, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    public void The_signature_is_the_one_that_Amazon_publishes(string method, string path, string query, string headers, string payload, string signature)
    {
        KeyValuePair<string, string>[] all =
        [
            new("host", "examplebucket.s3.amazonaws.com"), new("x-amz-content-sha256", payload), new("x-amz-date", "20130524T000000Z"), .. Pairs(headers),
        ];
        var authorization = AwsSignature.Authorize(method, path, Pairs(query), all, payload, Amazon, "us-east-1", new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero));
        Assert.EndsWith("Signature=" + signature, authorization);
        Assert.StartsWith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=", authorization);
    }

    [Fact]
    public async Task A_file_goes_there_and_comes_back_and_goes_away()
    {
        await using var store = new SmallS3(Amazon);
        var bucket = Bucket(store, Amazon);
        var path = Path.Combine(folder, "call");
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        File.WriteAllBytes(path, bytes);
        const string name = "demo/2026/11/23/ığ call+1.wav.sealed"; // what needs encoding is encoded once
        await bucket.PutAsync(name, path, default);
        Assert.True(await bucket.ExistsAsync(name, default));
        using var back = new MemoryStream();
        Assert.True(await bucket.GetAsync(name, back, default));
        Assert.Equal(bytes, back.ToArray());
        await bucket.DeleteAsync(name, default);
        await bucket.DeleteAsync(name, default);
        Assert.False(await bucket.ExistsAsync(name, default));
        Assert.False(await bucket.GetAsync(name, back, default));
    }

    [Fact]
    public async Task A_wrong_secret_is_told_and_nothing_is_stored()
    {
        await using var store = new SmallS3(Amazon);
        var path = Path.Combine(folder, "call");
        File.WriteAllText(path, "audio");
        var refused = await Assert.ThrowsAsync<S3Exception>(() => Bucket(store, Amazon with { SecretKey = "wrong" }).PutAsync("a", path, default));
        Assert.Contains("403", refused.Message);
        Assert.Contains("SignatureDoesNotMatch", refused.Message);
        Assert.False(await Bucket(store, Amazon).ExistsAsync("a", default));
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_an_error_with_its_address()
    {
        var store = new SmallS3(Amazon);
        var bucket = Bucket(store, Amazon);
        await store.DisposeAsync();
        var unreachable = await Assert.ThrowsAsync<S3Exception>(() => bucket.ExistsAsync("a", default));
        Assert.Contains(store.Url.ToString(), unreachable.Message);
    }

    private S3Bucket Bucket(SmallS3 store, S3Credentials credentials) =>
        new(http, new S3Location(store.Url, "calls", "eu-test-1", credentials), TimeProvider.System);

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string text) =>
        text.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(p => new KeyValuePair<string, string>(p[..p.IndexOf('=')], p[(p.IndexOf('=') + 1)..]));
}
