using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Sentiric.Contracts;

namespace Sentiric.Write.Http;

/// <summary>Reads a JSON body, bounded, and says where it is wrong.</summary>
public static class RequestBody
{
    /// <summary>Assistants and articles are texts; nothing that a person writes comes near this.</summary>
    public const int MaxBytes = 512 * 1024;

    private static readonly JsonSerializerOptions Strict = new(Wire.Json)
    {
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireWhatHasNoDefault } },
    };

    public static async ValueTask<Result<T>> ReadAsync<T>(HttpRequest request, CancellationToken ct)
        where T : class
    {
        var bytes = await BytesAsync(request.Body, ct).ConfigureAwait(false);
        return bytes is { } all
            ? Parse<T>(all.Span)
            : new Refusal("request.too_large", $"The body is larger than {MaxBytes / 1024} KiB.");
    }

    private static Result<T> Parse<T>(ReadOnlySpan<byte> json)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Strict) is { } body
                ? body
                : new Refusal("request.invalid_json", "The body is null; it must be a JSON object.");
        }
        catch (JsonException broken)
        {
            return new Refusal("request.invalid_json", $"The body cannot be read{Where(broken)}: {Why(broken)}");
        }
    }

    private static string Where(JsonException broken) => string.Create(
        CultureInfo.InvariantCulture, $" at {broken.Path ?? "$"}, line {(broken.LineNumber ?? 0) + 1}, byte {(broken.BytePositionInLine ?? 0) + 1}");

    // The serialiser's sentence ends with its own notation of the place, and may name CLR types.
    private static string Why(JsonException broken)
    {
        var end = broken.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        var sentence = end < 0 ? broken.Message : broken.Message[..end];
        var missing = sentence.IndexOf("missing required properties", StringComparison.Ordinal);
        if (missing >= 0)
        {
            return sentence[missing..];
        }

        return sentence.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) ? "the value has the wrong type." : sentence;
    }

    // Absent is null, as it is when we write: only a member that may not be null and has no default must be there.
    private static void RequireWhatHasNoDefault(JsonTypeInfo type)
    {
        foreach (var member in type.Properties)
        {
            member.IsRequired = member.AssociatedParameter is { HasDefaultValue: false, IsNullable: false }
                && Nullable.GetUnderlyingType(member.PropertyType) is null;
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>?> BytesAsync(Stream body, CancellationToken ct)
    {
        using var all = new MemoryStream();
        var chunk = new byte[16 * 1024];
        while (await body.ReadAsync(chunk, ct).ConfigureAwait(false) is var read and > 0)
        {
            if (all.Length + read > MaxBytes)
            {
                return null;
            }

            all.Write(chunk, 0, read);
        }

        return all.ToArray();
    }
}
