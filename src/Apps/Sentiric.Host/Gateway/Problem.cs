using Microsoft.AspNetCore.Diagnostics;
using Sentiric.Contracts;
using Sentiric.Host.Ports;

namespace Sentiric.Host.Gateway;

/// <summary>RFC 9457 problem documents of the host itself. Every error of the API is one, with a stable <c>code</c>.</summary>
public static class Problem
{
    private const string ContentType = Problems.ContentType;

    public static Task WriteAsync(HttpContext http, Refusal refusal, int status)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(
            new ProblemDocument(Problems.Of(refusal).Type, Title(status), status, refusal.Why, refusal.Code, http.TraceIdentifier),
            Wire.Json, ContentType, http.RequestAborted);
    }

    /// <summary>What is left when an endpoint throws: malformed JSON, a role that is down, a bug. Never a stack trace.</summary>
    public static Task WriteExceptionAsync(HttpContext http) => http.Features.Get<IExceptionHandlerFeature>()?.Error switch
    {
        BadHttpRequestException e => WriteAsync(http, new(CodeOf(e.StatusCode), Innermost(e)), e.StatusCode),
        ServiceUnavailableException e => WriteAsync(http, new("service.unavailable", e.Message), 503),
        _ => WriteAsync(http, new("server.error", $"The platform failed; its log tells more under the trace id {http.TraceIdentifier}."), 500),
    };

    /// <summary>What routing refuses without a body (no such path, no such method) becomes a problem too, under /v1.</summary>
    public static Task WriteStatusAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        var status = http.Response.StatusCode;
        return http.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase)
            ? WriteAsync(http, new(CodeOf(status), $"{http.Request.Method} {http.Request.Path}: {Title(status)}. /openapi/v1.json lists what the API takes."), status)
            : Task.CompletedTask;
    }

    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status404NotFound => "route.unknown_path",
        StatusCodes.Status405MethodNotAllowed => "route.method_not_allowed",
        StatusCodes.Status413PayloadTooLarge => "request.too_large",
        StatusCodes.Status415UnsupportedMediaType => "request.content_type",
        >= 500 => "server.error",
        _ => "request.invalid",
    };

    private static string Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e.Message;

    private static string Title(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);

    private sealed record ProblemDocument(string Type, string Title, int Status, string Detail, string Code, string TraceId);
}
