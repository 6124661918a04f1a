-- What a fold noticed about a case is found without reading every case.
CREATE INDEX entity_finding ON entity (kind) WHERE state ? 'findings';
