<?php // Answers with what it sees.
header('Content-Type: application/json');
echo json_encode([
    'by' => 'php',
    'method' => $_SERVER['REQUEST_METHOD'],
    'bytes' => strlen(file_get_contents('php://input')),
    'headers' => (object) array_filter($_SERVER, fn ($name) => str_starts_with($name, 'HTTP_'), ARRAY_FILTER_USE_KEY),
]);
